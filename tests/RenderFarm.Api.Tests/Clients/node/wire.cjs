// The queue door as a stranger sees it: node wire.cjs BROKER KEY
// Declares what the documents promise (the broker closes the channel where a property differs), sends one job that is good and some that
// are not, and says as one line of JSON what the events and the rejected queue held, property by property.
'use strict';
const amqp = require('amqplib');

const [broker, key] = process.argv.slice(2);
const quorum = { durable: true, arguments: { 'x-queue-type': 'quorum' } };

// What MassTransit would act on, were it in a message of its own.
const strange = { 'MT-Fault-Address': 'rabbitmq://localhost/elsewhere', 'MT-Message-Type': 'urn:message:Other', MessageId: 'not-a-guid' };

const rejects = [
  { name: 'no message id', body: '{"prompt":"a ball"}', properties: { contentType: 'application/json' } },
  { name: 'no json', body: '\u0000\u0001{"prompt":', properties: { messageId: 'r-1', contentType: 'application/json' } },
  { name: 'an envelope', body: '{"messageType":["urn:message:X"],"message":{"prompt":"a"}}',
    properties: { messageId: 'r-2', contentType: 'application/vnd.masstransit+json' } },
  { name: 'no content type', body: '[]', properties: { messageId: 'r-3' } },
  { name: 'a content type that is none', body: 'prompt', properties: { messageId: 'r-4', contentType: ';;;' } },
  { name: 'every property', body: '{"prompt":"a","stepps":1}', properties: {
    messageId: 'r-5', contentType: 'application/json; charset=utf-8', contentEncoding: 'identity', correlationId: 'order 7', replyTo: 'answers',
    type: 'order', appId: 'studio', priority: 4, timestamp: 1700000000, expiration: '60000' } },
];

async function main() {
  const connection = await amqp.connect(broker);
  const channel = await connection.createConfirmChannel();
  await channel.assertExchange('renderfarm.intake', 'fanout', { durable: true });
  await channel.assertExchange('renderfarm.events', 'topic', { durable: true });
  await channel.assertQueue('renderfarm.intake', quorum);
  await channel.assertQueue('renderfarm.intake.rejected', quorum);

  const events = [];
  const rejected = {};
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, 'renderfarm.events', 'video.queued.tiny');
  const told = new Promise((resolve) => channel.consume(queue, (message) => {
    events.push(shown(message));
    resolve();
  }, { noAck: true }));
  const allBack = new Promise((resolve) => channel.consume('renderfarm.intake.rejected', (message) => {
    rejected[message.properties.headers['x-test']] = shown(message);
    if (Object.keys(rejected).length === rejects.length) resolve();
  }, { noAck: true }));

  for (const { name, body, properties } of rejects) {
    channel.publish('renderfarm.intake', 'any', Buffer.from(body), { ...properties, headers: { 'x-api-key': key, 'x-test': name, ...strange } });
  }
  const good = { prompt: 'a ball', model: 'tiny', metadata: { shot: '7' } };
  channel.publish('renderfarm.intake', '', Buffer.from(JSON.stringify(good)), {
    contentType: 'application/json', messageId: 'good', headers: { 'x-api-key': key, ...strange },
  });
  await channel.waitForConfirms();
  await Promise.all([told, allBack]);
  const left = (await channel.checkQueue('renderfarm.intake')).messageCount;
  await connection.close();
  console.log(JSON.stringify({ events, rejected, left, sent: Object.fromEntries(rejects.map((reject) => [reject.name, reject])) }));
}

function shown(message) {
  const { headers, ...properties } = message.properties;
  return {
    exchange: message.fields.exchange,
    routingKey: message.fields.routingKey,
    body: message.content.toString(),
    headers,
    properties: Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined)),
  };
}

main().then(() => process.exit(0)).catch((error) => {
  console.error(error);
  process.exit(1);
});
