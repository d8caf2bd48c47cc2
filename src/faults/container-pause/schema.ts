import * as z from 'zod';
import { containerFields } from '../container.ts';

export const containerPauseParameters = () => z.strictObject(containerFields());
export type ContainerPauseParameters = z.infer<ReturnType<typeof containerPauseParameters>>;
