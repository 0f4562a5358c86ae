// Verifies tokens with the npm package jose: JSON list of tokens in, JSON list of results out.
// Knows nothing of Zhitong but that x5c[0] holds the key and that a segment has one spelling.

import { X509Certificate, createHash } from 'node:crypto'
import { compactVerify, decodeProtectedHeader } from 'jose'

async function verify(token) {
  for (const segment of token.split('.')) {
    if (Buffer.from(segment, 'base64url').toString('base64url') !== segment) {
      throw new Error('a segment is not in its canonical spelling')
    }
  }
  const { x5c } = decodeProtectedHeader(token)
  const key = new X509Certificate(Buffer.from(x5c[0], 'base64')).publicKey
  const { payload } = await compactVerify(token, key, { algorithms: ['ES256'] })
  return {
    payload: new TextDecoder('utf-8', { fatal: true }).decode(payload),
    payload_sha256: createHash('sha256').update(payload).digest('hex'),
  }
}

let text = ''
for await (const chunk of process.stdin) text += chunk
const results = []
for (const token of JSON.parse(text)) {
  try {
    results.push(await verify(token))
  } catch (error) {
    results.push({ error: `${error.code ?? error.name}: ${error.message}` })
  }
}
console.log(JSON.stringify(results))
