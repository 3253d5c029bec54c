// Shortcodes the bot and people use; others stay as typed.
const known = {
  white_check_mark: '✅', heavy_check_mark: '✔️', x: '❌', warning: '⚠️', rotating_light: '🚨', no_entry: '⛔', octagonal_sign: '🛑',
  hourglass: '⌛', hourglass_flowing_sand: '⏳', stopwatch: '⏱️', arrow_up: '⬆️', arrow_down: '⬇️', arrow_right: '➡️', rewind: '⏪',
  leftwards_arrow_with_hook: '↩️', rocket: '🚀', eyes: '👀', tada: '🎉', lock: '🔒', unlock: '🔓', closed_lock_with_key: '🔐', key: '🔑',
  shield: '🛡️', bar_chart: '📊', chart_with_upwards_trend: '📈', chart_with_downwards_trend: '📉', mag: '🔍', memo: '📝', bulb: '💡',
  information_source: 'ℹ️', question: '❓', exclamation: '❗', large_green_circle: '🟢', large_yellow_circle: '🟡', red_circle: '🔴',
  large_blue_circle: '🔵', white_circle: '⚪', black_circle: '⚫', large_orange_circle: '🟠', snowflake: '❄️', fire: '🔥', bell: '🔔',
  no_bell: '🔕', thumbsup: '👍', '+1': '👍', thumbsdown: '👎', '-1': '👎', wave: '👋', raised_hands: '🙌', pray: '🙏', smile: '😄',
  hatching_chick: '🐣', baby_chick: '🐤', bird: '🐦', link: '🔗', gear: '⚙️', wrench: '🔧', hammer: '🔨', broom: '🧹', recycle: '♻️',
  repeat: '🔁', arrows_counterclockwise: '🔄', double_vertical_bar: '⏸️', arrow_forward: '▶️', black_square_for_stop: '⏹️', seedling: '🌱',
};

export function emoji(name) {
  return known[name];
}
