/** The few settings that matter, made of the JSON schema that the server gives; what it does not know is not asked. */
import { app } from "/page/app.js";
import { h } from "/page/dom.js";
import { t } from "/page/i18n.js";
import { open } from "/page/parts/dialog.js";
import { choices } from "/page/parts/portrait.js";

const FEW = [["hair", "mode"], ["hair", "glasses"], ["head", "bust"], ["head", "folds"], ["texture", "size"], ["enhance", "mode"], ["portrait", "crop"], ["portrait", "background"]];

/** Settings that are any word for the server, and the words that are offered here. */
const WORDS = { "enhance.mode": ["auto", "off", "always"] };

const titles = () => ({
  "hair.mode": t("Hair"), "hair.glasses": t("Glasses"), "head.bust": t("Bust"), "head.folds": t("Folds"), "texture.size": t("Texture size"),
  "enhance.mode": t("Super-resolution"), "portrait.crop": t("Crop of the portrait"), "portrait.background": t("Background of the portrait"),
});

const names = () => ({
  auto: t("Auto"), none: t("None"), scalp: t("Scalp"), remove: t("Remove"), keep: t("Keep"), always: t("Always"), off: t("Off"),
  square: t("Square"), passport: t("Passport"), head: t("Head"), blur: t("Blur"), plain: t("Plain"), false: t("no"), true: t("yes"),
});

/** The schema of a setting; null where the server does not know it. */
function find(schema, branch, name) {
  const at = (node) => (node?.$ref ? schema.$defs?.[node.$ref.split("/").at(-1)] : node?.allOf ? at(node.allOf[0]) : node);
  return at(at(schema?.properties?.[branch])?.properties?.[name]) ?? null;
}

export function settings() {
  const schema = app.info?.settings;
  const chosen = structuredClone(app.settings);
  const words = names();
  const rows = () => FEW.flatMap(([branch, name]) => {
    const setting = find(schema, branch, name);
    const key = `${branch}.${name}`;
    const values = WORDS[key] ?? setting?.enum ?? (setting?.type === "boolean" ? [false, true] : null);
    if (!setting || !values) return [];
    const value = chosen[branch]?.[name] ?? setting.default;
    const group = choices(key, titles()[key], values.map((one) => [String(one), words[String(one)] ?? String(one)]), String(value), (text) => {
      const picked = values.find((one) => String(one) === text);
      const { [name]: _old, ...rest } = chosen[branch] ?? {};
      const now = picked === setting.default ? rest : { ...rest, [name]: picked };
      if (Object.keys(now).length) chosen[branch] = now;
      else delete chosen[branch];
      app.choose(structuredClone(chosen));
    });
    group.append(h("p.help", {}, t(setting.description ?? "")));
    return [group];
  });
  const form = h("div.settings", {}, ...(schema ? rows() : [h("p.faint", {}, t("The server has not told its settings yet."))]));
  const reset = h("button.button", { type: "button", id: "settings-reset", onclick: () => {
    for (const [branch] of FEW) delete chosen[branch];
    app.choose(structuredClone(chosen));
    form.replaceChildren(...rows());
  } }, t("As it was"));
  const dialog = open(t("Settings"), [h("p.faint", {}, t("They hold for the next photos, and are remembered on this device.")), form], {
    id: "settings",
    actions: [reset, h("button.button.primary", { type: "button", id: "settings-done", onclick: () => dialog.close() }, t("Done"))],
  });
}
