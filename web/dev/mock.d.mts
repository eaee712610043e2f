/** The mock of the API, as the tests see it; see mock.mjs. */
export interface Mock {
  url: string;
  token: string;
  speech: boolean;
  presence(device: string, online: boolean, reason?: string): void;
  post(kind: string, data: unknown): void;
  cut(forget?: boolean): void;
  expire(): void;
  close(): Promise<void>;
}
export function startMock(options?: { port?: number; speech?: boolean; setUp?: boolean }): Promise<Mock>;
