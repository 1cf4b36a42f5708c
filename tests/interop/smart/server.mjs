// A token server of SMART Backend Services (oidc-provider) and, behind it, a guard that lets only its tokens through to a
// FHIR server.
//
//   node server.mjs --fhir http://127.0.0.1:8630/fhir --jwks FILE --scope 'system/*.cruds' --lifetime 3
//
// --jwks: the public keys of the one client, `clinic`; the file is read again at each request, so that keys can be
// exchanged. --granted SCOPE: what is granted of the wanted scope, when that is less.
// Prints "READY http://127.0.0.1:PORT" and one line for each token asked for: "TOKEN ok KID ALG" or "TOKEN refused WHY".
// Ends with its standard input.
import { createServer, request } from 'node:http';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Provider } from 'oidc-provider';
import { createLocalJWKSet, decodeProtectedHeader, exportJWK, generateKeyPair, jwtVerify } from 'jose';

const { values: options } = parseArgs({
  options: {
    fhir: { type: 'string' },
    jwks: { type: 'string' },
    scope: { type: 'string', default: 'system/*.cruds' },
    granted: { type: 'string' },
    lifetime: { type: 'string', default: '300' },
  },
});
const granted = options.granted ?? options.scope;
const lifetime = Number(options.lifetime);
const publicKeys = () => JSON.parse(readFileSync(options.jwks, 'utf8'));

const http = createServer();
await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve));
const origin = `http://127.0.0.1:${http.address().port}`;
const tokenUrl = `${origin}/token`;
const resource = `${origin}/fhir`;

const pair = await generateKeyPair('ES384', { extractable: true });
const signingKey = { ...(await exportJWK(pair.privateKey)), kid: 'server', alg: 'ES384', use: 'sig' };
const { d: _, ...verifyingKey } = signingKey;
const serverKeys = createLocalJWKSet({ keys: [verifyingKey] });

// What the library lets pass and the specification does not.
function strict(ctx, claims, header) {
  const demand = (holds, what) => {
    if (!holds) throw new Error(what);
  };
  const now = Math.floor(Date.now() / 1000);
  demand(claims.exp - now <= 300, 'exp');
  demand(claims.aud === tokenUrl, 'aud');
  demand(claims.iss === claims.sub, 'iss');
  demand(header.typ === 'JWT', 'typ');
  demand(publicKeys().keys.some((key) => key.kid === header.kid), 'kid');
  demand(typeof claims.jti === 'string' && claims.jti.length >= 16, 'jti');
}

function makeProvider() {
  const provider = new Provider(origin, {
    clients: [
      {
        client_id: 'clinic',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        token_endpoint_auth_method: 'private_key_jwt',
        id_token_signed_response_alg: 'ES384',
        jwks: publicKeys(),
        scope: granted,
      },
    ],
    clientAuthMethods: ['private_key_jwt'],
    enabledJWA: { clientAuthSigningAlgValues: ['RS384', 'ES384'], idTokenSigningAlgValues: ['ES384'] },
    jwks: { keys: [signingKey] },
    scopes: granted.split(' '),
    clockTolerance: 0,
    assertJwtClientAuthClaimsAndHeader: strict,
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resource,
        getResourceServerInfo: () => ({
          scope: granted,
          audience: resource,
          accessTokenFormat: 'jwt',
          accessTokenTTL: lifetime,
          jwt: { sign: { alg: 'ES384' } },
        }),
      },
    },
  });
  provider.on('grant.error', (ctx, error) => {
    console.log(`TOKEN refused ${error.error} ${error.error_detail ?? ''}`);
  });
  provider.on('grant.success', (ctx) => {
    const header = decodeProtectedHeader(ctx.oidc.params.client_assertion);
    console.log(`TOKEN ok ${header.kid} ${header.alg}`);
  });
  return provider;
}

let keysInUse = '';
let provider;
function currentProvider() {
  const text = readFileSync(options.jwks, 'utf8');
  if (text !== keysInUse) {
    keysInUse = text;
    provider = makeProvider();
  }
  return provider;
}

function answer(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

// Forwards what carries a token of ours.
async function guard(incoming, response) {
  const token = (incoming.headers.authorization ?? '').replace(/^Bearer /, '');
  try {
    await jwtVerify(token, serverKeys, { issuer: origin, audience: resource, typ: 'at+jwt', clockTolerance: 0 });
  } catch (error) {
    incoming.resume();
    return answer(response, 401, { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'login' }] });
  }
  const target = options.fhir + incoming.url.slice('/fhir'.length);
  const { host, authorization, ...headers } = incoming.headers;
  const forwarded = request(target, { method: incoming.method, headers }, (reply) => {
    response.writeHead(reply.statusCode, reply.headers);
    reply.pipe(response);
  });
  forwarded.on('error', () => answer(response, 502, {}));
  incoming.pipe(forwarded);
}

http.on('request', (incoming, response) => {
  if (incoming.url === '/fhir/.well-known/smart-configuration') {
    return answer(response, 200, {
      token_endpoint: tokenUrl,
      token_endpoint_auth_methods_supported: ['private_key_jwt'],
      token_endpoint_auth_signing_alg_values_supported: ['RS384', 'ES384'],
      grant_types_supported: ['client_credentials'],
      scopes_supported: granted.split(' '),
      capabilities: ['client-confidential-asymmetric'],
    });
  }
  if (incoming.url.startsWith('/fhir')) return guard(incoming, response);
  return currentProvider().callback()(incoming, response);
});

console.log(`READY ${origin}`);
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
