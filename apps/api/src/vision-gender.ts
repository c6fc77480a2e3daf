/**
 * Words of English captions by what takes their place. The nouns are those that Azure AI Vision replaces; without the
 * pronouns their captions would say the same all the same.
 */
const neutral: Readonly<Record<string, string>> = {
  man: 'person',
  woman: 'person',
  men: 'people',
  women: 'people',
  gentleman: 'person',
  gentlemen: 'people',
  lady: 'person',
  ladies: 'people',
  guy: 'person',
  guys: 'people',
  boy: 'child',
  girl: 'child',
  boys: 'children',
  girls: 'children',
  his: 'their',
  her: 'their',
  hers: 'theirs',
  him: 'them',
  himself: 'themselves',
  herself: 'themselves',
};

/** "he" and "she" with the verb that goes with them, since "they" takes another. */
const withVerb: Readonly<Record<string, string>> = { is: 'are', was: 'were', has: 'have', does: 'do' };

const words = new RegExp(`\\b(?:${Object.keys(neutral).join('|')})\\b`, 'gi');
const subjects = new RegExp(`\\bs?he\\b(?:( ?)('s|${Object.keys(withVerb).join('|')})\\b)?`, 'gi');
/** "her" that owns nothing: at the end, or before a word that no noun begins with. */
const object = /\bher\b(?=$|[.,;]| (?:and|as|at|by|for|from|in|into|near|next|on|onto|or|over|to|up|while|with)\b)/gi;

/**
 * Replaces gendered words of an English caption: man and woman by person, boy and girl by child, with their plurals,
 * a few of their synonyms, and the pronouns. Only whole words: a snowman stays one, and so does a fireman.
 */
export const genderNeutral = (caption: string): string =>
  caption
    .replaceAll(object, 'them')
    .replaceAll(subjects, (_, space: string | undefined, verb: string | undefined) =>
      verb === undefined ? 'they' : `they${space}${withVerb[verb.toLowerCase()] ?? "'re"}`,
    )
    .replaceAll(words, (word) => neutral[word.toLowerCase()] ?? word);
