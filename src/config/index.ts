export { type Config, defineConfig, type PreprocessSettings } from './config.js';
