/* Lets django-unfold's pages run on Alpine's build without eval, which knows no globals and takes
   one expression per attribute: what its templates write otherwise is put in other words first. */
const OTHER_WORDS = [
  // Steps one after the other are a list.
  ["openSearchResults = true; currentIndex = 0", "[openSearchResults = true, currentIndex = 0]"],
  [/^openSearchResults = false; if .*/s, "[openSearchResults = false, $empty($refs.searchInput)]"],
  [/^if \((.+?)\) (selectItem\(.*\))$/, "$1 && $2"],
  [/^sidebarDesktopOpen = !sidebarDesktopOpen; .*/s, "$keep('sidebarDesktopOpen', sidebarDesktopOpen = !sidebarDesktopOpen)"],
  [/;\s*\$watch\('sidebarDesktopOpen'.*/s, ""],
  // Globals are magics.
  [/localStorage\.getItem/g, "$kept"],
  ["getCurrentTab()", "$tab()"],
  [/^activeTab && .* window\.location.*/s, "$address(activeTab)"],
  [/\b(sortRecords|moveRecords)\b/g, "$$$1"],
];

document.addEventListener("alpine:init", () => {
  for (const component of [theme, searchForm, searchDropdown, searchCommand]) {
    Alpine.data(component.name, component);
  }
  const magics = {
    kept: (name) => localStorage.getItem(name),
    keep: (name, isTrue) => localStorage.setItem(name, isTrue ? "1" : "0"),
    empty: (field) => (field.value ? (field.value = "") : field.blur()),
    tab: getCurrentTab,
    address: (tab) => location.pathname + location.search + (tab && tab !== "general" ? `#${tab}` : ""),
    sortRecords,
    moveRecords,
  };
  for (const [name, magic] of Object.entries(magics)) Alpine.magic(name, () => magic);

  Alpine.interceptInit((element) => {
    for (const attribute of element.attributes) {
      if (!/^(x-|@|:)/.test(attribute.name)) continue;
      const words = OTHER_WORDS.reduce((text, [from, to]) => text.replace(from, to), attribute.value.trim());
      if (words !== attribute.value.trim()) attribute.value = words;
    }
  });
});
