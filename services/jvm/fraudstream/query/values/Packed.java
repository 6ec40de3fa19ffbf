package fraudstream.query.values;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Values as bytes that keep each value's type, for rows between processes. Metadata of the outermost record too. */
public final class Packed {
    /** What a value begins with. */
    private enum Kind {
        NULL, BIGINT, FLOAT, FALSE, TRUE, TEXT, DATETIME, RECORD, ARRAY, WITH_METADATA;

        static final Kind[] ALL = values();
    }

    private byte[] held = new byte[256];
    private int length;

    private Packed() {
    }

    public static byte[] pack(Object value) {
        Packed packed = new Packed();
        Record metadata = value instanceof Record ? ((Record) value).metadata() : null;
        if (metadata != null) {
            packed.kind(Kind.WITH_METADATA);
            packed.value(metadata);
        }
        packed.value(value);
        return Arrays.copyOf(packed.held, packed.length);
    }

    /** The value that {@link #pack} was given. */
    public static Object unpack(byte[] bytes) {
        ByteBuffer from = ByteBuffer.wrap(bytes);
        if (bytes[0] != Kind.WITH_METADATA.ordinal()) {
            return value(from);
        }
        from.get();
        Record metadata = (Record) value(from);
        Record record = (Record) value(from);
        record.setMetadata(metadata);
        return record;
    }

    private void value(Object value) {
        if (value == null) {
            kind(Kind.NULL);
        } else if (value instanceof Long) {
            kind(Kind.BIGINT);
            number((Long) value);
        } else if (value instanceof Double) {
            kind(Kind.FLOAT);
            number(Double.doubleToRawLongBits((Double) value));
        } else if (value instanceof Boolean) {
            kind((Boolean) value ? Kind.TRUE : Kind.FALSE);
        } else if (value instanceof String) {
            kind(Kind.TEXT);
            text((String) value);
        } else if (value instanceof Datetime) {
            kind(Kind.DATETIME);
            number(((Datetime) value).ticks);
        } else if (value instanceof Record) {
            record((Record) value);
        } else {
            array((List<?>) value);
        }
    }

    private void record(Record record) {
        kind(Kind.RECORD);
        count(record.size());
        for (int place = 0; place < record.size(); place++) {
            text(record.name(place));
            value(record.value(place));
        }
    }

    private void array(List<?> items) {
        kind(Kind.ARRAY);
        count(items.size());
        for (Object item : items) {
            value(item);
        }
    }

    private void kind(Kind kind) {
        one(kind.ordinal());
    }

    private void one(int value) {
        reserve(1);
        held[length++] = (byte) value;
    }

    private void number(long value) {
        reserve(Long.BYTES);
        for (int shift = 56; shift >= 0; shift -= 8) {
            held[length++] = (byte) (value >> shift);
        }
    }

    private void count(int count) {
        int rest = count;
        for (; rest > 127; rest >>>= 7) {
            one(rest & 127 | 128);
        }
        one(rest);
    }

    private void text(String text) {
        byte[] encoded = text.getBytes(StandardCharsets.UTF_8);
        count(encoded.length);
        reserve(encoded.length);
        System.arraycopy(encoded, 0, held, length, encoded.length);
        length += encoded.length;
    }

    private void reserve(int count) {
        if (length + count > held.length) {
            held = Arrays.copyOf(held, Math.max(2 * held.length, length + count));
        }
    }

    private static Object value(ByteBuffer from) {
        Kind kind = Kind.ALL[from.get()];
        switch (kind) {
            case NULL:
                return null;
            case BIGINT:
                return from.getLong();
            case FLOAT:
                return Double.longBitsToDouble(from.getLong());
            case FALSE:
                return Boolean.FALSE;
            case TRUE:
                return Boolean.TRUE;
            case TEXT:
                return readText(from);
            case DATETIME:
                return new Datetime(from.getLong());
            case RECORD:
                return readRecord(from);
            case ARRAY:
                return readArray(from);
            default:
                throw new IllegalArgumentException(kind + " begins no value within another.");
        }
    }

    private static Record readRecord(ByteBuffer from) {
        int size = readCount(from);
        Record record = new Record(size);
        for (int place = 0; place < size; place++) {
            record.add(readText(from), value(from));
        }
        return record;
    }

    private static List<Object> readArray(ByteBuffer from) {
        int size = readCount(from);
        List<Object> items = new ArrayList<>(size);
        for (int place = 0; place < size; place++) {
            items.add(value(from));
        }
        return items;
    }

    private static int readCount(ByteBuffer from) {
        int count = 0;
        for (int shift = 0;; shift += 7) {
            byte part = from.get();
            count |= (part & 127) << shift;
            if (part >= 0) {
                return count;
            }
        }
    }

    private static String readText(ByteBuffer from) {
        int length = readCount(from);
        String text = new String(from.array(), from.position(), length, StandardCharsets.UTF_8);
        from.position(from.position() + length);
        return text;
    }
}
