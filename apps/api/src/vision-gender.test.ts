import assert from 'node:assert/strict';
import { test } from 'node:test';
import { genderNeutral } from './vision-gender.ts';

test('gendered words of a caption give way, with their plurals and pronouns', () => {
  for (const [caption, wanted] of [
    ['a man riding a horse', 'a person riding a horse'],
    ['two women and a boy', 'two people and a child'],
    ['a group of men with three girls', 'a group of people with three children'],
    ["a woman's hat", "a person's hat"],
    ['a man with his dog', 'a person with their dog'],
    ['a girl brushing her hair', 'a child brushing their hair'],
    ['a dog looking at her', 'a dog looking at them'],
    ['a boy with a kite behind her on a beach', 'a child with a kite behind them on a beach'],
    ['a lady smiling as she is cooking', 'a person smiling as they are cooking'],
    ['a guy who thinks he can fly', 'a person who thinks they can fly'],
    ['a man looking at himself', 'a person looking at themselves'],
    ['A Man', 'A person'],
  ] as const) {
    assert.equal(genderNeutral(caption), wanted);
  }
});

test('other words stay as they are, also those that contain a gendered one', () => {
  for (const caption of ['a snowman in a field', 'the history of a manhole', 'there is a shed', 'fireman', '']) {
    assert.equal(genderNeutral(caption), caption);
  }
});
