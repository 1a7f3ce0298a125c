export type Theme = 'auto' | 'light' | 'dark';

const key = 'gatehouse.theme';
const system = matchMedia('(prefers-color-scheme: dark)');

function stored(): Theme {
  try {
    const value = localStorage.getItem(key);
    return value === 'light' || value === 'dark' ? value : 'auto';
  } catch {
    return 'auto';
  }
}

/** The theme that was chosen, and whether it comes out dark right now. */
export const theme = $state<{ choice: Theme; dark: boolean }>({ choice: stored(), dark: false });

function apply(): void {
  const root = document.documentElement;
  if (theme.choice === 'auto') delete root.dataset.theme;
  else root.dataset.theme = theme.choice;
  theme.dark = theme.choice === 'dark' || (theme.choice === 'auto' && system.matches);
}

export function chooseTheme(choice: Theme): void {
  theme.choice = choice;
  try {
    localStorage.setItem(key, choice);
  } catch {
    // no storage: until the page is left
  }
  apply();
}

system.addEventListener('change', apply);
apply();
