// A producer of another language: node producer.cjs BROKER KEY COUNT
// Publishes COUNT jobs with ids of their own, loses its connection in the middle, reconnects and, not knowing what got
// through, sends again what was not confirmed and some of the rest. Says as one line of JSON which videos the events told of.
'use strict';
const amqp = require('amqplib');

const [broker, key, countText] = process.argv.slice(2);
const count = Number(countText);
const ids = Array.from({ length: count }, (_, i) => `shot-${i}`);
const videos = new Map();
const confirmed = new Set();

async function main() {
  const listening = await amqp.connect(broker);
  const events = await listening.createChannel();
  await events.assertExchange('renderfarm.events', 'topic', { durable: true });
  const { queue } = await events.assertQueue('', { exclusive: true });
  await events.bindQueue(queue, 'renderfarm.events', 'video.queued.*');
  let told = 0;
  const complete = new Promise((resolve) => {
    events.consume(queue, (message) => {
      told++;
      const video = JSON.parse(message.content.toString());
      const known = videos.get(message.properties.correlationId) ?? new Set();
      videos.set(message.properties.correlationId, known.add(video.id));
      if (videos.size === count) resolve();
    }, { noAck: true });
  });

  const half = count / 2;
  await publish(ids.slice(0, half), { cutAfter: half - count / 10 });
  // what had not been confirmed when the connection broke is sent again, and some that had been
  await publish(ids.filter((id) => !confirmed.has(id)));
  await publish(ids.slice(0, count / 10));
  await complete;
  await listening.close();
  const doubled = [...videos.values()].filter((known) => known.size !== 1).length;
  console.log(JSON.stringify({ told, videos: new Set([...videos.values()].map((known) => [...known][0])).size, doubled }));
}

async function publish(some, { cutAfter } = {}) {
  const connection = await amqp.connect(broker);
  connection.on('error', () => {});
  const channel = await connection.createConfirmChannel();
  channel.on('error', () => {});
  let seen = 0;
  await new Promise((resolve) => {
    for (const id of some) {
      const body = Buffer.from(JSON.stringify({ prompt: `a ball, ${id}`, model: 'tiny', metadata: { shot: id } }));
      channel.publish('renderfarm.intake', '', body, {
        contentType: 'application/json', messageId: id, persistent: true, headers: { 'x-api-key': key },
      }, (refused) => {
        if (!refused && seen < (cutAfter ?? Infinity)) confirmed.add(id);
        if (++seen === (cutAfter ?? some.length)) resolve();
      });
    }
  });
  if (cutAfter) connection.connection.stream.destroy();
  else await connection.close();
}

main().then(() => process.exit(0)).catch((error) => {
  console.error(error);
  process.exit(1);
});
