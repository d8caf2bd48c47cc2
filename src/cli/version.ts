/** The version, put in by the build; from source there is none. */
declare const CHAOS_VERSION: string | undefined;

export const version = typeof CHAOS_VERSION === 'string' ? CHAOS_VERSION : '0.0.0-source';
