package fraudstream.query.state;

import fraudstream.query.values.Key;
import fraudstream.query.values.Packed;
import fraudstream.query.values.Record;
import java.io.DataInput;
import java.io.IOException;
import java.io.UncheckedIOException;

/** Reads what a {@link StateWriter} wrote. Throws {@link UncheckedIOException}. */
public final class StateReader {
    private final DataInput in;

    public StateReader(DataInput in) {
        this.in = in;
    }

    public long number() {
        try {
            return in.readLong();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    public double real() {
        return Double.longBitsToDouble(number());
    }

    public boolean flag() {
        try {
            return in.readBoolean();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    public Object value() {
        try {
            byte[] packed = new byte[in.readInt()];
            in.readFully(packed);
            return Packed.unpack(packed);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    public Record record() {
        return (Record) value();
    }

    public Object[] values() {
        Object[] values = new Object[(int) number()];
        for (int at = 0; at < values.length; at++) {
            values[at] = value();
        }
        return values;
    }

    public Key key() {
        Object[] values = values();
        return values.length == 0 ? Key.EMPTY : new Key(values);
    }

    /** Reads as many as were written. */
    public void each(Runnable read) {
        long count = number();
        for (long at = 0; at < count; at++) {
            read.run();
        }
    }
}
