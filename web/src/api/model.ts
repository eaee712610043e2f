/** What the pages work with: the API's answers with absent lists made empty and open vocabularies kept open. */

/** A language of the catalogues, of names and of replies. */
export type Lang = 'zh-CN' | 'en';
/** A name in each language that has one. */
export type Names = Record<string, string>;

export interface Actor {
  login: string;
  /** Id of the organisation acted for; '' for somebody who is in none yet. */
  organisation: string;
  organisationNames: Names;
  roles: string[];
  /** What may be done, as the API names it: home.write. */
  acts: string[];
  /** Nothing is open before a second factor is enrolled. */
  factorNeeded: boolean;
}

export interface HomeItem {
  id: string;
  names: Names;
}

export interface Home extends HomeItem {
  rooms: Room[];
  devices: Device[];
}

export interface Room {
  id: string;
  names: Names;
}

/** One reported or desired value; time is RFC 3339 in UTC with milliseconds, so text order is time order. */
export interface Value {
  value: unknown;
  time: string;
}

export interface Property {
  identifier: string;
  names: Names;
  unit: string;
  min: number | undefined;
  max: number | undefined;
  enum: { value: number; names: Names }[];
}

/** How a virtual device can misbehave. */
export const faults = ['none', 'silent', 'slow', 'wrong', 'duplicate', 'wrong-type', 'flapping'] as const;
export type Fault = (typeof faults)[number];

export interface Device {
  id: string;
  room: string;
  names: Names;
  category: string;
  deviceName: string;
  online: boolean;
  virtual: boolean;
  /** How a virtual device misbehaves; 'none' when it does not. */
  fault: string;
  properties: Property[];
  state: Record<string, Value>;
  desired: Record<string, Value>;
}

export interface Target {
  device: string;
  room: string;
  name: string;
  /** done, already, answered, failed, or '' when nothing was asked of it. */
  outcome: string;
  reason: string;
  command: string;
}

export interface Act {
  op: string;
  prop: string;
  value: unknown;
  direction: string;
  targets: Target[];
}

export interface Stage {
  name: string;
  startUS: number;
  lengthUS: number;
  detail: string;
}

export interface Answer {
  id: string;
  text: string;
  lang: string;
  /** act, clarify, reject, chat or failed. */
  outcome: string;
  reply: string;
  actions: Act[];
  candidates: string[];
  stages: Stage[];
  totalUS: number;
}
