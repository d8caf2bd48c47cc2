import * as z from 'zod';
import { correlationField, packetShare, trafficFields } from '../network/schema.ts';

export const networkLossParameters = () =>
  z.strictObject({
    ...trafficFields(),
    percent: packetShare('lost'),
    correlation: correlationField(),
  });
export type NetworkLossParameters = z.infer<ReturnType<typeof networkLossParameters>>;
