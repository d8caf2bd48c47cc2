import * as z from 'zod';
import { correlationField, packetShare, trafficFields } from '../network/schema.ts';

export const networkDuplicateParameters = () =>
  z.strictObject({
    ...trafficFields(),
    percent: packetShare('sent twice'),
    correlation: correlationField(),
  });
export type NetworkDuplicateParameters = z.infer<ReturnType<typeof networkDuplicateParameters>>;
