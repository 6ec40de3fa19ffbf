package fraudstream.query.state;

import fraudstream.query.values.Key;
import fraudstream.query.values.Packed;
import java.io.DataOutput;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Collection;
import java.util.function.Consumer;

/** Writes the state of a query. Throws {@link UncheckedIOException}. */
public final class StateWriter {
    private final DataOutput out;

    public StateWriter(DataOutput out) {
        this.out = out;
    }

    public void number(long number) {
        try {
            out.writeLong(number);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    public void real(double number) {
        number(Double.doubleToRawLongBits(number));
    }

    public void flag(boolean flag) {
        try {
            out.writeBoolean(flag);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    /** A value of the language, or null. */
    public void value(Object value) {
        byte[] packed = Packed.pack(value);
        try {
            out.writeInt(packed.length);
            out.write(packed);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    public void values(Object[] values) {
        number(values.length);
        for (Object value : values) {
            value(value);
        }
    }

    public void key(Key key) {
        values(key.values().toArray());
    }

    /** How many there are, and each. */
    public <T> void each(Collection<T> items, Consumer<T> write) {
        number(items.size());
        items.forEach(write);
    }
}
