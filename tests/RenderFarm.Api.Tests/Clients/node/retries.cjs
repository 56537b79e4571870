// node retries.cjs BASE_URL KEY UNAVAILABLE_URL: what the official client does by itself when an answer is lost, or is a 503.
'use strict';
const assert = require('node:assert/strict');
const OpenAI = require('openai');

const [baseURL, apiKey, awayURL] = process.argv.slice(2);

async function main() {
  const video = await new OpenAI({ baseURL, apiKey }).videos.create({ prompt: 'a ball whose answer is lost' });
  await assert.rejects(() => new OpenAI({ baseURL: awayURL, apiKey, maxRetries: 0 }).videos.list(), (error) => {
    assert.ok(error instanceof OpenAI.InternalServerError);
    assert.deepEqual([error.status, error.code], [503, 'unavailable']);
    assert.ok(error.headers.get('retry-after'));
    return true;
  });
  console.log(JSON.stringify({ id: video.id }));
}

main().then(() => process.exit(0)).catch((error) => {
  console.error(error);
  process.exit(1);
});
