import { expect, test } from 'vitest';
import { ChannelSlots, type GiveBack } from '../../../../src/drivers/ssh/channel-slots.ts';

const never = new AbortController().signal;

/** Takes as many as are to be had at once. */
async function takeAll(slots: ChannelSlots, urgent: boolean): Promise<GiveBack[]> {
  const taken: GiveBack[] = [];
  for (;;) {
    const giveBack = await slots.take(urgent, AbortSignal.timeout(10)).catch(() => undefined);
    if (giveBack === undefined) return taken;
    taken.push(giveBack);
  }
}

test('gives eight to work and keeps two back for ending it', async () => {
  const slots = new ChannelSlots();

  expect(await takeAll(slots, false)).toHaveLength(8);
  expect(await takeAll(slots, true)).toHaveLength(2);
});

test('who waits comes first, urgent ones before all', async () => {
  const slots = new ChannelSlots(1);
  const first = await slots.take(false, never);
  const order: string[] = [];
  const wait = async (name: string, urgent: boolean): Promise<void> => {
    const giveBack = await slots.take(urgent, never);
    order.push(name);
    giveBack();
  };
  const all = [wait('a', false), wait('b', false), wait('end', true)];
  first();
  await Promise.all(all);

  expect(order).toEqual(['end', 'a', 'b']);
});

test('giving back twice gives back once', async () => {
  const slots = new ChannelSlots(2);
  const giveBack = await slots.take(false, never);
  giveBack();
  giveBack();

  expect(await takeAll(slots, true)).toHaveLength(2);
});

test('an abort ends the wait with its reason', async () => {
  const slots = new ChannelSlots(1);
  await slots.take(false, never);

  await expect(slots.take(false, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
  await expect(slots.take(false, AbortSignal.timeout(5))).rejects.toMatchObject({ name: 'TimeoutError' });
});

test('a server that allows fewer is believed, until ours is the only one', async () => {
  const slots = new ChannelSlots();
  const taken = [await slots.take(false, never), await slots.take(false, never), await slots.take(false, never)];

  expect(slots.refused()).toBe(true);
  for (const giveBack of taken) giveBack();
  const two = await takeAll(slots, false);
  expect(two).toHaveLength(2);
  two[0]?.();
  expect(slots.refused()).toBe(false);
});

test('closing fails who waits and who comes later', async () => {
  const slots = new ChannelSlots(1);
  await slots.take(false, never);
  const waiting = slots.take(false, never);
  slots.close(new Error('gone'));

  await expect(waiting).rejects.toThrow('gone');
  await expect(slots.take(true, never)).rejects.toThrow('gone');
});
