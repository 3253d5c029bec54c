// An SVG as PNG, with a font of our own: containers have none, and resvg leaves text out without a word when it finds no font.
import { createRequire } from 'node:module';
import { Resvg } from '@resvg/resvg-js';

const require = createRequire(import.meta.url);
const FONTS = ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map((name) => require.resolve(`dejavu-fonts-ttf/ttf/${name}`));

/** PNG bytes at `zoom` times the SVG's size. */
export function pngOf(svg: string, zoom = 2): Uint8Array<ArrayBuffer> {
  const resvg = new Resvg(svg, {
    font: { loadSystemFonts: false, fontFiles: FONTS, defaultFontFamily: 'DejaVu Sans' },
    fitTo: { mode: 'zoom', value: zoom },
    background: '#FFFFFF',
  });
  return Uint8Array.from(resvg.render().asPng());
}
