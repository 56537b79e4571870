// The official client, unmodified: node videos.cjs BASE_URL KEY READ_ONLY_KEY LIMITED_KEY FINISHED_ID PICTURE
// Does what an application does and checks what it gets; says as one line of JSON what was done.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const OpenAI = require('openai');

const [baseURL, apiKey, readOnlyKey, limitedKey, finished, picture] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey });
const done = [];

async function main() {
  // create: text, file, data URL, JSON
  const text = await client.videos.create({ prompt: 'a ball', seconds: '1', size: '64x64' });
  assert.equal(text.object, 'video');
  assert.equal(text.status, 'queued');
  assert.equal(text.size, '64x64');
  const file = await client.videos.create({ prompt: 'a ball', model: 'tiny-i2v', input_reference: fs.createReadStream(picture) });
  const dataUrl = `data:image/png;base64,${fs.readFileSync(picture).toString('base64')}`;
  const link = await client.videos.create({ prompt: 'a ball', model: 'tiny-i2v', input_reference: { image_url: dataUrl } });
  assert.equal(link.model, file.model);
  const json = await client.post('/videos', { body: { prompt: 'a ball', seed: 7, metadata: { shot: '1' } } });
  assert.equal(json.seed, 7);
  done.push('create');

  assert.equal((await client.videos.retrieve(text.id)).id, text.id);
  done.push('retrieve');

  const mine = [finished, ...[text, file, link, json].map((video) => video.id)];
  for (let i = 0; i < 4; i++) mine.push((await client.videos.create({ prompt: `ball ${i}` })).id);
  for (const order of ['asc', 'desc']) {
    const seen = [];
    let pages = 0;
    for await (const page of (await client.videos.list({ limit: 3, order })).iterPages()) {
      pages++;
      seen.push(...page.data.map((video) => video.id));
    }
    assert.ok(pages >= 3, `${pages} pages`);
    assert.deepEqual(order === 'asc' ? seen : seen.reverse(), mine);
  }
  done.push('list');

  for (const variant of ['video', 'thumbnail', 'spritesheet']) {
    const content = await client.videos.downloadContent(finished, { variant });
    assert.equal(content.headers.get('content-type'), variant === 'video' ? 'video/mp4' : 'image/webp');
    const bytes = Buffer.from(await content.arrayBuffer());
    assert.equal(bytes.toString(), `the ${variant}`);
  }
  const part = await client.videos.downloadContent(finished, {}, { headers: { Range: 'bytes=4-8' } });
  assert.equal(part.status, 206);
  assert.equal(await part.text(), 'video');
  done.push('content');

  const remix = await client.videos.remix(text.id, { prompt: 'a cube' });
  assert.equal(remix.remixed_from_video_id, text.id);
  done.push('remix');

  const gone = await client.videos.delete(text.id);
  assert.deepEqual([gone.id, gone.deleted], [text.id, true]);
  done.push('delete');

  const once = (key) => new OpenAI({ baseURL, apiKey: key, maxRetries: 0 });
  await refused(() => client.videos.create({ prompt: 'a ball', size: '63x64' }), OpenAI.BadRequestError, 'invalid_value', 'size');
  await refused(() => once('rf_wrong').videos.list(), OpenAI.AuthenticationError, 'invalid_api_key');
  await refused(() => once(readOnlyKey).videos.create({ prompt: 'a ball' }), OpenAI.PermissionDeniedError, 'missing_scope');
  await refused(() => client.videos.retrieve('video_00000000000000000000000000000000'), OpenAI.NotFoundError, 'not_found');
  await refused(() => client.videos.downloadContent(json.id), OpenAI.ConflictError, 'content_not_ready');
  await refused(() => client.post('/videos', { body: { prompt: 'a', plan: { precision: 'fp32', blocks_streamed: 0, ffn_chunk_tokens: 0 }, model: 't2v-14b', size: '1280x720', frames: 257 } }),
    OpenAI.UnprocessableEntityError, 'plan_does_not_fit');
  await once(limitedKey).videos.list();
  await refused(() => once(limitedKey).videos.list(), OpenAI.RateLimitError, 'rate_limited');
  await refused(() => client.videos.edit({ prompt: 'a', video: { id: json.id } }), OpenAI.InternalServerError, 'not_supported');
  done.push('errors');
  console.log(JSON.stringify({ done }));
}

async function refused(call, type, code, param) {
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof type, `${error.constructor.name}: ${error.message}`);
    assert.equal(error.code, code);
    if (param) assert.equal(error.param, param);
    return true;
  });
}

main().then(() => process.exit(0)).catch((error) => {
  console.error(error);
  process.exit(1);
});
