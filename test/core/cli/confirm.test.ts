import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { session } from './session.ts';

/** What can't be taken back, and what its question has to say. */
for (const [typed, consequence, hint] of [
  ['node fence kvm2', 'or two hosts write one disk', 'sltv node fence kvm2 --yes'],
  ['node fence kvm2 --by-hand', 'must be off and stay off', 'sltv node fence kvm2 --by-hand --yes'],
  ['pool accept vg-fast', 'what was lost stays lost', 'sltv pool accept vg-fast --yes'],
  ['cluster recover', 'every node has to say that it runs no command', 'sltv cluster recover --yes'],
] as const) {
  test(`sltv ${typed} asks nobody where there is no terminal, and says what to do`, async () => {
    await using shell = await session();
    const { code, err, asked } = await shell.type(typed);
    assert.is(code, 6);
    assert.match(err, consequence);
    assert.match(err, `hint: ${hint}`);
    assert.match(err, '[core/unconfirmed]');
    assert.equal(asked, []);
  });

  test(`sltv ${typed} is done after a yes on a terminal, and not after anything else`, async () => {
    await using shell = await session();
    const questions: string[] = [];
    const answering = (answer: string) => ({
      ask: async (question: string) => {
        questions.push(question);
        return answer;
      },
    });
    assert.equal((await shell.type(typed, answering('y'))).asked, []);
    assert.equal((await shell.type(typed, answering(''))).asked, []);
    assert.is((await shell.type(typed, answering(' YES\n'))).asked.length, 1);
    assert.match(questions[0] ?? '', consequence);
  });
}

test.run();
