import * as z from 'zod';
import { correlationField, packetShare, trafficFields } from '../network/schema.ts';

export const networkCorruptParameters = () =>
  z.strictObject({
    ...trafficFields(),
    percent: packetShare('corrupted by one flipped bit'),
    correlation: correlationField(),
  });
export type NetworkCorruptParameters = z.infer<ReturnType<typeof networkCorruptParameters>>;
