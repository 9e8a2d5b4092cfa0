import { findRecipe } from '../recipes/index.js';
import type { Recipe } from '../recipes/recipe.js';
import type { Config } from './config.js';
import { type Layer, type MergedConfig, mergeLayers } from './layers.js';
import { findConfig, type LoadedConfig } from './load.js';

/** What a command was told, by all means. */
export interface GatheredConfig extends MergedConfig {
  readonly loaded: LoadedConfig | undefined;
  readonly recipe: Recipe | undefined;
  /** Settings of the recipe that something above it changes. */
  readonly changed: readonly string[];
}

/**
 * Puts together flags, configuration and recipe, in this order.
 * @param options.flags what the command line said
 * @param options.file the configuration; false for none, else the one that lies here
 */
export async function gatherConfig(options: {
  flags: Config;
  file?: string | false | undefined;
}): Promise<GatheredConfig> {
  const { flags, file } = options;
  const loaded = await findConfig({ file });
  const said: Layer[] = [
    { source: 'flag', config: flags },
    ...(loaded ? [{ source: loaded.path, config: loaded.config }] : []),
  ];
  const name = flags.recipe ?? loaded?.config.recipe;
  const recipe = name === undefined ? undefined : findRecipe(name);
  const base = recipe && {
    source: `recipe ${recipe.name}`,
    config: { project: recipe.name, ...recipe.settings },
  };
  const merged = mergeLayers(base ? [...said, base] : said);
  const ofRecipe = base ? [...mergeLayers([base]).sources.keys()].filter((key) => key !== 'project') : [];
  const changed = ofRecipe.filter((key) => merged.sources.get(key) !== base?.source);
  return { ...merged, loaded, recipe, changed };
}
