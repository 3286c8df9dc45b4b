/**
 * What browsers are told with every answer of the native API. Nothing here is a page, nothing may be framed or sniffed, and
 * no other origin may read it: there is no CORS.
 */
export const securityHeaders = {
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
} as const
