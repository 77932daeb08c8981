/** Jest's own runner, one test file at a time. */
import Runner from 'jest-runner';

export default class SerialRunner extends Runner {
  isSerial = true;
}
