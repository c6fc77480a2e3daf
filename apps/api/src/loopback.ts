/** Whether a host, as it stands in a setting or URL, is this machine and nothing else can reach it. */
export const isLoopback = (host: string): boolean => /^(?:localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/i.test(host);
