package fraudstream.documentstore;

import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.exception.MongoServerError;
import de.bwaldvogel.mongo.wire.BsonConstants;
import de.bwaldvogel.mongo.wire.bson.BsonEncoder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.h2.mvstore.WriteBuffer;

/**
 * Documents as BSON (bsonspec.org, version 1.1), byte for byte as the library's encoder writes them.
 *
 * <p>The library looks each field up by its name, and encodes a whole document where only its size is asked for. This
 * class knows the ordinary types; the library encodes the values of all others.
 */
final class Bson {
    // A document's length and its end.
    private static final int FRAME_BYTES = Integer.BYTES + 1;
    /**
     * Documents and lists inside each other, which are written and read one inside the other: the library sends no
     * answer where the stack ends. The server's threads have room for several times as many.
     */
    private static final int MOST_DEPTH = 1_000;
    private static final int OVERFLOW = 15;

    private Bson() {
    }

    /** How many bytes {@link #write} writes. Raises {@link MongoServerError} for a document that is nested too deeply. */
    static int size(Map<String, Object> document) {
        return size(document, 1);
    }

    private static int size(Map<String, Object> document, int depth) {
        checkDepth(depth);
        int bytes = FRAME_BYTES;
        for (Map.Entry<String, Object> field : document.entrySet()) {
            bytes += size(field.getKey(), field.getValue(), depth);
        }
        return bytes;
    }

    private static int size(List<?> values, int depth) {
        checkDepth(depth);
        int bytes = FRAME_BYTES;
        for (int i = 0; i < values.size(); i++) {
            bytes += size(String.valueOf(i), values.get(i), depth);
        }
        return bytes;
    }

    private static void checkDepth(int depth) {
        if (depth > MOST_DEPTH) {
            throw new MongoServerError(OVERFLOW, "Overflow",
                "The document has more than " + MOST_DEPTH + " documents and lists inside each other. Store it flatter.");
        }
    }

    private static int size(String name, Object value, int depth) {
        int head = ByteBufUtil.utf8Bytes(name) + 2;
        if (value instanceof String text) {
            return head + Integer.BYTES + ByteBufUtil.utf8Bytes(text) + 1;
        } else if (value instanceof Integer) {
            return head + Integer.BYTES;
        } else if (value instanceof Double || value instanceof Long || value instanceof Instant) {
            return head + Long.BYTES;
        } else if (value == null) {
            return head;
        } else if (value instanceof Boolean) {
            return head + 1;
        } else if (value instanceof Document document) {
            return head + size(document, depth + 1);
        } else if (value instanceof List<?> values) {
            return head + size(values, depth + 1);
        }
        return encoded(name, value).readableBytes();
    }

    /** Writes a document. Raises {@code IllegalArgumentException} for a value that BSON does not have. */
    static void write(WriteBuffer buffer, Map<String, Object> document) {
        int start = begin(buffer);
        for (Map.Entry<String, Object> field : document.entrySet()) {
            write(buffer, field.getKey(), field.getValue());
        }
        end(buffer, start);
    }

    private static void write(WriteBuffer buffer, List<?> values) {
        int start = begin(buffer);
        for (int i = 0; i < values.size(); i++) {
            write(buffer, String.valueOf(i), values.get(i));
        }
        end(buffer, start);
    }

    private static void write(WriteBuffer buffer, String name, Object value) {
        if (value instanceof String text) {
            head(buffer, BsonConstants.TYPE_UTF8_STRING, name);
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            putInt(buffer, bytes.length + 1);
            buffer.put(bytes).put(BsonConstants.STRING_TERMINATION);
        } else if (value instanceof Integer number) {
            head(buffer, BsonConstants.TYPE_INT32, name);
            putInt(buffer, number);
        } else if (value instanceof Double number) {
            head(buffer, BsonConstants.TYPE_DOUBLE, name);
            putLong(buffer, Double.doubleToRawLongBits(number));
        } else if (value instanceof Long number) {
            head(buffer, BsonConstants.TYPE_INT64, name);
            putLong(buffer, number);
        } else if (value instanceof Instant moment) {
            head(buffer, BsonConstants.TYPE_UTC_DATETIME, name);
            putLong(buffer, moment.toEpochMilli());
        } else if (value == null) {
            head(buffer, BsonConstants.TYPE_NULL, name);
        } else if (value instanceof Boolean truth) {
            head(buffer, BsonConstants.TYPE_BOOLEAN, name);
            buffer.put(truth ? BsonConstants.BOOLEAN_VALUE_TRUE : BsonConstants.BOOLEAN_VALUE_FALSE);
        } else if (value instanceof Document document) {
            head(buffer, BsonConstants.TYPE_EMBEDDED_DOCUMENT, name);
            write(buffer, document);
        } else if (value instanceof List<?> values) {
            head(buffer, BsonConstants.TYPE_ARRAY, name);
            write(buffer, values);
        } else {
            buffer.put(encoded(name, value).nioBuffer());
        }
    }

    private static int begin(WriteBuffer buffer) {
        int start = buffer.position();
        buffer.putInt(0); // the length, known at the end
        return start;
    }

    private static void end(WriteBuffer buffer, int start) {
        buffer.put(BsonConstants.TERMINATING_BYTE);
        buffer.putInt(start, Integer.reverseBytes(buffer.position() - start));
    }

    private static void head(WriteBuffer buffer, byte type, String name) {
        buffer.put(type).put(name.getBytes(StandardCharsets.UTF_8)).put(BsonConstants.STRING_TERMINATION);
    }

    // BSON is little-endian, a WriteBuffer is not.

    private static void putInt(WriteBuffer buffer, int number) {
        buffer.putInt(Integer.reverseBytes(number));
    }

    private static void putLong(WriteBuffer buffer, long number) {
        buffer.putLong(Long.reverseBytes(number));
    }

    /** A field of a type that is not ordinary, as the library encodes it. */
    private static ByteBuf encoded(String name, Object value) {
        ByteBuf bytes = Unpooled.buffer();
        BsonEncoder.encodeDocument(Map.of(name, value), bytes);
        return bytes.slice(Integer.BYTES, bytes.readableBytes() - FRAME_BYTES);
    }
}
