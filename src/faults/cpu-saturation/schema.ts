import * as z from 'zod';

export const cpuSaturationParameters = () =>
  z.strictObject({
    percent: z.int().min(1).max(100).default(100).meta({ description: 'Load of each of the cores, 1 to 100 percent. Default 100.' }),
    cores: z.int().min(1).max(4_096).optional().meta({ description: 'How many cores are loaded. Default: all that the host has online.' }),
    burner: z.enum(['auto', 'built-in', 'stress-ng']).default('auto').meta({
      description:
        '`stress-ng` where it is installed, else shell loops that watch their own load (`auto`); or always one of them. Default auto.',
    }),
  });
export type CpuSaturationParameters = z.infer<ReturnType<typeof cpuSaturationParameters>>;
