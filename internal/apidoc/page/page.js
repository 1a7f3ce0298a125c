// Shows the API document. Nothing is loaded from another host, and nothing is
// told to one.
Scalar.createApiReference('#app', {
  url: '/api/openapi.json',
  theme: 'default',
  withDefaultFonts: false,
  telemetry: false,
  agent: { disabled: true },
  mcp: { disabled: true },
  hideClientButton: true,
  showDeveloperTools: 'never',
  defaultHttpClient: { targetKey: 'shell', clientKey: 'curl' },
  hiddenClients: [],
  persistAuth: false,
})
