/**
 * Types of the REST API that this console calls, in the shape that openapi-typescript writes.
 * `make web` replaces this file by one made from /api/openapi.json.
 */

export interface paths {
  "/api/v1/setup": {
    get: { responses: { 200: { content: { "application/json": components["schemas"]["Setup"] } }; default: components["responses"]["Problem"] } };
    post: {
      requestBody: { content: { "application/json": components["schemas"]["SetupInput"] } };
      responses: { 200: { content: { "application/json": components["schemas"]["Session"] } }; default: components["responses"]["Problem"] };
    };
  };
  "/api/v1/session": {
    get: { responses: { 200: { content: { "application/json": components["schemas"]["Session"] } }; default: components["responses"]["Problem"] } };
    post: {
      requestBody: { content: { "application/json": components["schemas"]["SessionInput"] } };
      responses: { 200: { content: { "application/json": components["schemas"]["Session"] } }; default: components["responses"]["Problem"] };
    };
    delete: { responses: { 204: { content?: never }; default: components["responses"]["Problem"] } };
  };
  "/api/v1/homes": {
    get: { responses: { 200: { content: { "application/json": components["schemas"]["HomePage"] } }; default: components["responses"]["Problem"] } };
  };
  "/api/v1/homes/{home}": {
    get: {
      parameters: { path: { home: string } };
      responses: { 200: { content: { "application/json": components["schemas"]["Home"] } }; default: components["responses"]["Problem"] };
    };
  };
  "/api/v1/homes/{home}/sentences": {
    post: {
      parameters: { path: { home: string } };
      requestBody: { content: { "application/json": components["schemas"]["SentenceInput"] } };
      responses: { 200: { content: { "application/json": components["schemas"]["Answer"] } }; default: components["responses"]["Problem"] };
    };
  };
  "/api/v1/speech": {
    post: {
      requestBody: { content: { "application/json": components["schemas"]["SpeechInput"] } };
      responses: { 200: { content: { "audio/wav": Blob } }; default: components["responses"]["Problem"] };
    };
  };
  "/api/v1/virtual-devices/{device}/fault": {
    put: {
      parameters: { path: { device: string } };
      requestBody: { content: { "application/json": components["schemas"]["FaultInput"] } };
      responses: { 204: { content?: never }; default: components["responses"]["Problem"] };
    };
  };
}

export interface components {
  schemas: {
    Setup: { needed: boolean };
    SetupInput: { code: string; login: string; password: string; email: string };
    SessionInput: { login?: string; password?: string; token?: string };
    Session: { actor: components["schemas"]["Actor"] };
    Actor: { login: string; organisation: string; organisation_name: string; roles: string[] | null };
    Names: { [lang: string]: string };
    Aliases: { [lang: string]: string[] | null };
    HomePage: { items: components["schemas"]["HomeItem"][] | null; next_cursor?: string };
    HomeItem: { id: string; names: components["schemas"]["Names"] };
    Home: {
      id: string;
      names: components["schemas"]["Names"];
      rooms: components["schemas"]["Room"][] | null;
      devices: components["schemas"]["Device"][] | null;
    };
    Room: { id: string; names: components["schemas"]["Names"]; aliases?: components["schemas"]["Aliases"] };
    Device: {
      id: string;
      room: string;
      names: components["schemas"]["Names"];
      aliases?: components["schemas"]["Aliases"];
      category: string;
      product: string;
      product_key: string;
      device_name: string;
      online: boolean;
      virtual: boolean;
      fault?: string;
      properties: components["schemas"]["Property"][] | null;
      state: { [property: string]: components["schemas"]["Value"] };
      desired?: { [property: string]: components["schemas"]["Value"] };
    };
    Property: {
      identifier: string;
      name: string;
      type: string;
      unit?: string;
      min?: number;
      max?: number;
      step?: number;
      enum?: components["schemas"]["EnumValue"][] | null;
      writable: boolean;
    };
    EnumValue: { value: number; name: string };
    Value: { value: unknown; time: string };
    SentenceInput: { text: string; room?: string; lang?: string };
    Answer: {
      id: string;
      text: string;
      lang: string;
      outcome: string;
      reply: string;
      actions?: components["schemas"]["Act"][] | null;
      candidates?: string[] | null;
      stages: components["schemas"]["Stage"][] | null;
      total_us: number;
    };
    Act: {
      op: string;
      prop?: string;
      value?: unknown;
      direction?: string;
      targets: components["schemas"]["Target"][] | null;
    };
    Target: { device: string; room?: string; name?: string; outcome: string; reason?: string; command?: string };
    Stage: { name: string; start_us: number; length_us: number; detail?: string };
    SpeechInput: { text: string; lang: string };
    FaultInput: { fault: string };
    Problem: { type?: string; title?: string; status?: number; detail?: string; code?: string; request_id?: string };
  };
  responses: {
    Problem: { content: { "application/problem+json": components["schemas"]["Problem"] } };
  };
}
