import { mkdir } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Rig, startRig } from '../../playground/rig/rig.ts';
import { chromiumPath, openBrowser } from '../support/chromium.ts';

/** The page as a person uses it, in a real browser. Screenshots go to MESHOPS_SCREENSHOTS when it is set. */
const path = chromiumPath();
const folder = process.env['MESHOPS_SCREENSHOTS'];
const LONG = { timeout: 30_000 };

async function picture(page: Page, name: string): Promise<void> {
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: `${folder}/${name}.png` });
}

async function act(page: Page, person: string): Promise<void> {
  await page
    .getByRole('radiogroup', { name: 'Act as' })
    .getByRole('radio', { name: new RegExp(`^${person}`) })
    .click();
}

describe.skipIf(path === undefined)('the page in Chromium', () => {
  let rig: Rig;
  const stop = new AbortController();
  beforeAll(async () => {
    rig = await startRig({ signal: stop.signal, progress: () => undefined, preset: 'ideal', seed: 1, pace: 'demo', split: false });
  });
  afterAll(() => rig?.stop());

  it('a person types a command, another approves, the canary is broken, and it rolls back', async () => {
    const browser = await openBrowser(path as string);
    try {
      const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
      const errors: string[] = [];
      page.on('pageerror', (error) => errors.push(error.message));
      await page.goto(rig.slack.url);
      await act(page, 'Operator');
      await page.locator('#channel-input').fill('/mesh canary backend 10%');
      await picture(page, '1-typed');
      await page.keyboard.press('Enter');
      const message = page.locator('#channel [data-ts]', { hasText: 'backend-canary' }).last();
      await message.getByRole('button', { name: /Approve/ }).waitFor(LONG);
      await picture(page, '2-asked');
      await act(page, 'Reviewer');
      await message.getByRole('button', { name: /Approve/ }).click();
      await message
        .getByText(/requests/)
        .first()
        .waitFor(LONG);
      await expect.poll(() => rig.cilium.truth.weights.at(-1)?.weights[0]?.['backend/backend-canary'], LONG).toBe(10);
      await page.waitForTimeout(5_000);
      await picture(page, '3-watching');
      await page.getByRole('button', { name: 'Break the canary' }).click();
      await message
        .getByText(/exactly as before/)
        .first()
        .waitFor(LONG);
      await picture(page, '4-rolled-back');
      expect(rig.cilium.truth.weights.at(-1)?.weights[0]?.['backend/backend-canary']).toBe(0);
      await message.getByRole('button', { name: /repl/ }).first().click();
      await page.locator('#thread img').first().waitFor(LONG);
      await picture(page, '5-thread');
      expect(errors).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});
