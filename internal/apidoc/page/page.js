// Shows the API document: what everybody may see, or what a credential may use.
// Nothing is loaded from another host, nothing is told to one, and a credential
// stays in this page.
const address = '/api/openapi.json'

const configuration = {
  theme: 'default',
  withDefaultFonts: false,
  telemetry: false,
  agent: { disabled: true },
  mcp: { disabled: true },
  hideClientButton: true,
  showDeveloperTools: 'never',
  persistAuth: false,
  defaultHttpClient: { targetKey: 'shell', clientKey: 'curl' },
}

const form = document.getElementById('own')
const says = form.querySelector('output')
let shown

function show(content, authentication) {
  shown?.destroy()
  shown = Scalar.createApiReference('#app', { ...configuration, content, authentication })
}

async function load(headers) {
  const answer = await fetch(address, { headers })
  if (answer.ok) return answer.text()
  const { error } = await answer.json()
  throw new Error(error.message ?? error)
}

// Tokens are JSON Web Tokens; of keys, those of the gateway have 64 characters,
// and those of users are sent as tokens are.
function credential(text) {
  if (/^[\w-]{64}$/.test(text)) {
    return { headers: { 'X-API-Key': text }, authentication: { preferredSecurityScheme: 'apiKey', securitySchemes: { apiKey: { value: text } } } }
  }
  return { headers: { Authorization: `Bearer ${text}` }, authentication: { preferredSecurityScheme: 'bearer', securitySchemes: { bearer: { token: text } } } }
}

form.addEventListener('submit', async (event) => {
  event.preventDefault()
  const text = document.getElementById('credential').value.trim()
  const { headers, authentication } = text ? credential(text) : { headers: {}, authentication: { preferredSecurityScheme: 'bearer' } }
  says.classList.remove('wrong')
  says.textContent = 'Loading …'
  try {
    const content = await load(headers)
    show(content, authentication)
    // Whoever is signed in to the pages is known without a credential.
    says.textContent = text ? 'What this credential may use' : content.includes('"x-tagGroups"') ? 'What you may use' : 'Public part'
  } catch (error) {
    says.classList.add('wrong')
    says.textContent = error.message
  }
})

form.requestSubmit()
