import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createCourse } from '../../../core/api/course.ts';

const never = new AbortController().signal;
const DONE = { error: undefined, milliseconds: 3 };

test('who follows hears of each change, and last of the end', async () => {
  const course = createCourse();
  const steps = course.follow(never)[Symbol.asyncIterator]();
  const next = steps.next();
  course.tell({ stage: 'one' });
  assert.equal((await next).value, { stage: 'one' });
  course.tell({ stage: 'two' });
  assert.equal((await steps.next()).value, { stage: 'two' });
  course.end(DONE);
  assert.equal((await steps.next()).value, DONE);
  assert.ok((await steps.next()).done);
});

test('who comes late or is slow hears the latest, and nothing is kept for him', async () => {
  const course = createCourse();
  for (const stage of ['one', 'two', 'three']) course.tell({ stage });
  course.end(DONE);
  course.tell({ stage: 'after its end' });
  const heard = await Array.fromAsync(course.follow(never));
  assert.equal(heard, [{ stage: 'three' }, DONE]);
  assert.equal(course.latest(), { stage: 'three' });
});

test('whoever follows may leave', async () => {
  const leaving = new AbortController();
  const next = createCourse().follow(leaving.signal)[Symbol.asyncIterator]().next();
  leaving.abort(new Error('enough'));
  assert.is(await next.catch((error: Error) => error.message), 'enough');
});

test.run();
