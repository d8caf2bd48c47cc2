import { describe, expect, it } from 'vitest';
import { sudoRefusal } from '../../../../src/drivers/ssh/sudo.ts';

describe('a refusal of sudo', () => {
  it.each([
    ['sudo: a password is required', /NOPASSWD/],
    ['deploy is not in the sudoers file.  This incident will be reported.', /allow it: add/],
    ['Sorry, user deploy is not allowed to execute as root on web-1.', /allow it: add/],
    ['sudo: sorry, you must have a tty to run sudo', /!requiretty/],
    ['sh: 1: exec: sudo: not found', /install it, or log in as root/],
  ])('%s names what mends it', (said, remedy) => {
    expect(sudoRefusal(`${said}\n`)).toMatch(remedy);
    expect(sudoRefusal(said)).toContain(`cannot become root: ${said}`);
  });

  it('of which nothing is known is shown as it is', () => {
    expect(sudoRefusal('sudo: unknown trouble')).toBe('cannot become root: sudo: unknown trouble');
    expect(sudoRefusal('')).toBe('cannot become root: sudo gave no reason');
  });
});
