import * as z from 'zod';
import { unitField } from '../systemd.ts';

export const serviceStopParameters = () => z.strictObject({ unit: unitField() });
export type ServiceStopParameters = z.infer<ReturnType<typeof serviceStopParameters>>;
