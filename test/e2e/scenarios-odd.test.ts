import { tellHalf } from './tell.ts';

tellHalf(1);
