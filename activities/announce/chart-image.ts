export { pngOf } from '../../src/messages/image.ts';
