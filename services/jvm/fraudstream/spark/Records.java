package fraudstream.spark;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import fraudstream.contract.Contract;
import fraudstream.contract.Event;
import fraudstream.contract.Texts;
import fraudstream.model.Decision;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow;
import org.apache.spark.unsafe.types.UTF8String;

/** The one writer of records of {@code scored} and {@code rejected}, wherever the decision was made. */
final class Records {
    private static final JsonFactory JSON = new JsonFactory();
    private static final UTF8String SCORED = UTF8String.fromString(Contract.CURRENT.scoredTopic);
    private static final UTF8String REJECTED = UTF8String.fromString(Contract.CURRENT.rejectedTopic);
    private static final int DECISION_BYTES = 512;
    private static final String UNSCORED = "cannot be scored";

    private Records() {
    }

    /**
     * The record of a scored event: its own bytes, so that money and unknown fields are what their sender wrote, with
     * the decision added. {@code inCommon} is what {@link Decision#inCommon} gives. An event whose record no topic takes
     * is rejected.
     */
    static InternalRow scored(
        byte[] value,
        byte[] key,
        String eventKey,
        long eventMicros,
        Decision decision,
        byte[] inCommon,
        Source source) {
        byte[] record = scoredValue(value, eventMicros, decision, inCommon, source);
        if (record.length > Contract.CURRENT.mostRecordBytes) {
            return rejected(value, key, tooLarge(record.length), source);
        }
        return row(SCORED, eventKey.getBytes(StandardCharsets.UTF_8), record);
    }

    /** The value of such a record. */
    static byte[] scoredValue(byte[] value, long eventMicros, Decision decision, byte[] inCommon, Source source) {
        int kept = lastBrace(value);
        Bytes bytes = new Bytes(kept + DECISION_BYTES).all(value, kept);
        bytes.ascii(",\"event_time\":\"").micros(eventMicros);
        bytes.ascii("\",\"prediction\":").number(decision.prediction());
        bytes.ascii(",\"score\":").ascii(Double.toString(decision.score()));
        bytes.all(inCommon, inCommon.length);
        bytes.ascii(",\"scored_at\":\"").millis(System.currentTimeMillis());
        bytes.ascii("\",\"reasons\":").utf8(decision.reasons());
        source.into(bytes.ascii(",\"source\":"));
        return bytes.ascii("}").toArray();
    }

    /** Why an event is refused whose record has so many bytes. */
    static Event tooLarge(int length) {
        return Event.refused(UNSCORED, UNSCORED + ": a record of " + length + " bytes, more than the "
            + Contract.CURRENT.mostRecordBytes + " that a topic takes");
    }

    /** The record of an event that is not scored, with the sender's key. */
    static InternalRow rejected(byte[] value, byte[] key, Event event, Source source) {
        return rejected(key, rejectedValue(value, key, event, source, ""));
    }

    /** The same where its value has been made before. */
    static InternalRow rejected(byte[] key, byte[] rejectedValue) {
        return row(REJECTED, key, rejectedValue);
    }

    /** A record whose value is at hand; of its key, what is too long is shortened. */
    static InternalRow row(UTF8String topic, byte[] key, byte[] value) {
        return new GenericInternalRow(new Object[] {topic, shortened(key), value});
    }

    /**
     * The value of a rejected record; whatever the event holds, this stays far below what a topic takes.
     * {@code source} is null for what no one record is to blame for; {@code further}: members of JSON, each behind a
     * comma.
     */
    static byte[] rejectedValue(byte[] value, byte[] key, Event event, Source source, String further) {
        byte[] raw = value == null ? new byte[0] : value;
        Contract contract = Contract.CURRENT;
        byte[] kept = raw.length <= contract.wholeRawBytes ? raw : Arrays.copyOf(raw, contract.cutRawBytes);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(kept.length * 4 / 3 + 512);
        try (JsonGenerator json = JSON.createGenerator(bytes)) {
            json.writeStartObject();
            json.writeStringField("reason", Texts.beginning(event.reason(), contract.shownReason));
            json.writeStringField("field", Texts.beginning(event.field(), contract.shownReason));
            json.writeStringField("raw_base64", Base64.getEncoder().encodeToString(kept));
            json.writeNumberField("raw_bytes", raw.length);
            json.writeStringField("raw_sha256", sha256(raw));
            if (key != null) {
                writeKey(json, key);
            }
            json.writeStringField("rejected_at", new Bytes(24).millis(System.currentTimeMillis()).text().toString());
            if (source != null) {
                json.writeFieldName("source");
                json.writeRawValue(source.json().toString());
            }
            json.writeRaw(further);
            json.writeEndObject();
        } catch (IOException error) {
            throw new IllegalStateException("fraudstream: a rejected record cannot be written: " + error.getMessage());
        }
        return bytes.toByteArray();
    }

    /** The sender's key: as text where it is one and short, else its first bytes. */
    private static void writeKey(JsonGenerator json, byte[] key) throws IOException {
        String text = key.length <= Contract.CURRENT.wholeKeyBytes ? Texts.decoded(key) : null;
        if (text != null) {
            json.writeStringField("key", text);
            return;
        }
        byte[] kept = Arrays.copyOf(key, Math.min(key.length, Contract.CURRENT.wholeKeyBytes));
        json.writeStringField("key_base64", Base64.getEncoder().encodeToString(kept));
        json.writeNumberField("key_bytes", key.length);
    }

    /** A record's key as it is where that is short, else what stands for it among all others. */
    private static byte[] shortened(byte[] key) {
        return key == null || key.length <= Contract.CURRENT.wholeKeyBytes ? key : Contract.ascii(sha256(key));
    }

    private static int lastBrace(byte[] value) {
        int at = value.length - 1;
        while (value[at] != '}') {
            at--;
        }
        return at;
    }

    private static String sha256(byte[] value) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(value));
        } catch (NoSuchAlgorithmException error) {
            throw new IllegalStateException("fraudstream: this Java has no SHA-256");
        }
    }
}
