import { describe, expect, it } from 'vitest';
import { CleanupStack } from '../../../src/core/cleanup-stack.ts';

describe('CleanupStack', () => {
  it('gives back newest first, each after the one before is done, and each once', async () => {
    const order: string[] = [];
    const stack = new CleanupStack();
    stack.defer(() => order.push('first'));
    const resource = {
      [Symbol.asyncDispose]: async () => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        order.push('second');
      },
    };
    const used = stack.use(resource);
    stack.defer(() => order.push('third'));

    await stack[Symbol.asyncDispose]();
    await stack[Symbol.asyncDispose]();

    expect(order).toEqual(['third', 'second', 'first']);
    expect(used).toBe(resource);
  });

  it('runs every disposer whatever the others do', async () => {
    const order: number[] = [];
    const stack = new CleanupStack();
    for (const number of [1, 2, 3]) {
      stack.defer(() => {
        order.push(number);
        if (number !== 2) throw new Error(`failed ${number}`);
      });
    }

    const failure = await stack[Symbol.asyncDispose]().catch((error: unknown) => error);

    expect(order).toEqual([3, 2, 1]);
    expect(failure).toBeInstanceOf(AggregateError);
    expect((failure as AggregateError).errors.map(String)).toEqual(['Error: failed 3', 'Error: failed 1']);
  });

  it('passes a single failure on as it is', async () => {
    const stack = new CleanupStack();
    const failure = new Error('only one');
    stack.defer(() => Promise.reject(failure));

    await expect(stack[Symbol.asyncDispose]()).rejects.toBe(failure);
  });

  it('takes disposers while it disposes', async () => {
    const order: string[] = [];
    const stack = new CleanupStack();
    stack.defer(() => {
      order.push('outer');
      stack.defer(() => order.push('late'));
    });

    await stack[Symbol.asyncDispose]();

    expect(order).toEqual(['outer', 'late']);
  });
});
