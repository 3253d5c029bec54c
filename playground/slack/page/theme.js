// Light or dark: as the system has it, or as chosen here.
import { h, icon } from './dom.js';

const system = matchMedia('(prefers-color-scheme: dark)');

function isDark() {
  const chosen = localStorage.getItem('theme');
  return chosen ? chosen === 'dark' : system.matches;
}

function paint() {
  document.documentElement.dataset.theme = isDark() ? 'dark' : 'light';
}

system.addEventListener('change', paint);
paint();

export function themeButton() {
  const name = () => (isDark() ? 'Light theme' : 'Dark theme');
  const button = h(
    'button',
    { type: 'button', class: 'icon-button', 'aria-label': name(), title: name(), 'data-focus': 'theme' },
    icon(isDark() ? 'sun' : 'moon'),
  );
  button.addEventListener('click', () => {
    localStorage.setItem('theme', isDark() ? 'light' : 'dark');
    paint();
    button.replaceChildren(icon(isDark() ? 'sun' : 'moon'));
    button.setAttribute('aria-label', name());
    button.title = name();
  });
  return button;
}
