package fraudstream.documentstore;

import de.bwaldvogel.mongo.bson.BinData;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.wire.bson.BsonDecoder;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.util.Collection;
import org.h2.mvstore.DataUtils;
import org.h2.mvstore.WriteBuffer;
import org.h2.mvstore.type.BasicDataType;

/** A document as BSON. */
final class Values extends BasicDataType<Document> {
    // What a field takes in memory with its name and an ordinary value; H2 sizes its pages and cache by it.
    private static final int FIELD_BYTES = 60;

    private final WriteBuffer encoded = new WriteBuffer(4096);

    @Override
    public int getMemory(Document document) {
        return 100 + (int) Math.min(memory(document), Integer.MAX_VALUE / 2);
    }

    /** False: an estimate from samples overlooks a few large documents among many small ones, which fill the heap. */
    @Override
    public boolean isMemoryEstimationAllowed() {
        return false;
    }

    /** An estimate: the same bytes for each field, and further bytes for long texts and binary data. */
    private static long memory(Object value) {
        if (value instanceof String text) {
            return Math.max(text.length() - FIELD_BYTES, 0);
        } else if (value == null || value instanceof Number) { // first: to look for an interface takes longer
            return 0;
        } else if (value instanceof byte[] data) {
            return data.length;
        } else if (value instanceof BinData data) {
            return data.getData().length;
        }
        Collection<?> parts;
        if (value instanceof Document document) {
            parts = document.values();
        } else if (value instanceof Collection<?> items) {
            parts = items;
        } else {
            return 0;
        }
        long bytes = 0;
        for (Object part : parts) {
            bytes += FIELD_BYTES + memory(part);
        }
        return bytes;
    }

    @Override
    public void write(WriteBuffer buffer, Document document) {
        synchronized (encoded) {
            Bson.write(encoded.clear(), document);
            ByteBuffer bytes = encoded.getBuffer().flip();
            buffer.putVarInt(bytes.remaining());
            buffer.put(bytes);
        }
    }

    @Override
    public Document read(ByteBuffer buffer) {
        int length = DataUtils.readVarInt(buffer);
        ByteBuffer bytes = buffer.slice().limit(length);
        buffer.position(buffer.position() + length);
        return BsonDecoder.decodeBson(Unpooled.wrappedBuffer(bytes));
    }

    @Override
    public Document[] createStorage(int size) {
        return new Document[size];
    }
}
