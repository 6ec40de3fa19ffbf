package fraudstream.query.input;

import fraudstream.query.values.BadEvent;
import fraudstream.query.values.Record;
import java.io.Closeable;
import java.io.IOException;

/** The records of a file, one after the other: {@code while (next())} read {@code record()}. */
public interface Records extends Closeable {
    /** Moves to the next record, also to one that cannot be read; whether there is one. */
    boolean next() throws IOException;

    /** The record at which this stands. */
    Record record() throws BadEvent;

    /** Where the record begins: the bytes before it, as they are after unpacking, or the rows. Grows. */
    long place();

    /** The record as the file has it, for a message. */
    String raw();
}
