package fraudstream.spark;

import java.nio.charset.StandardCharsets;
import java.time.LocalDate;
import java.util.Arrays;
import org.apache.spark.unsafe.Platform;
import org.apache.spark.unsafe.types.UTF8String;

/** Bytes that grow, for records that are written piece by piece. */
final class Bytes {
    private byte[] held;
    private int length;

    Bytes(int capacity) {
        held = new byte[capacity];
    }

    // The method is deprecated since it takes each character's low byte, which is all that ASCII has.
    @SuppressWarnings("deprecation")
    Bytes ascii(String text) {
        int count = text.length();
        reserve(count);
        text.getBytes(0, count, held, length);
        length += count;
        return this;
    }

    Bytes utf8(String text) {
        byte[] encoded = text.getBytes(StandardCharsets.UTF_8);
        return all(encoded, encoded.length);
    }

    Bytes all(byte[] from, int count) {
        reserve(count);
        System.arraycopy(from, 0, held, length, count);
        length += count;
        return this;
    }

    Bytes all(UTF8String text) {
        int count = text.numBytes();
        reserve(count);
        text.writeToMemory(held, Platform.BYTE_ARRAY_OFFSET + length);
        length += count;
        return this;
    }

    Bytes number(long number) {
        if (number < 0 || number > Integer.MAX_VALUE) {
            return ascii(Long.toString(number));
        }
        int width = 1;
        for (int rest = (int) number / 10; rest > 0; rest /= 10) {
            width++;
        }
        return padded((int) number, width);
    }

    /** Seconds since 1970 in UTC as {@code YYYY-mm-ddTHH:MM:SS}, for the years 1 to 9999. */
    Bytes seconds(long seconds) {
        long days = Math.floorDiv(seconds, 86400L);
        int rest = (int) Math.floorMod(seconds, 86400L);
        LocalDate date = LocalDate.ofEpochDay(days);
        padded(date.getYear(), 4).ascii("-").padded(date.getMonthValue(), 2).ascii("-").padded(date.getDayOfMonth(), 2);
        return ascii("T").padded(rest / 3600, 2).ascii(":").padded(rest / 60 % 60, 2).ascii(":").padded(rest % 60, 2);
    }

    /** Microseconds since 1970 in UTC as {@code YYYY-mm-ddTHH:MM:SSZ}, with six decimals where they are not zero. */
    Bytes micros(long micros) {
        seconds(Math.floorDiv(micros, 1_000_000L));
        int rest = (int) Math.floorMod(micros, 1_000_000L);
        return rest == 0 ? ascii("Z") : ascii(".").padded(rest, 6).ascii("Z");
    }

    /** Milliseconds since 1970 in UTC as {@code YYYY-mm-ddTHH:MM:SS.mmmZ}. */
    Bytes millis(long millis) {
        seconds(Math.floorDiv(millis, 1000L));
        return ascii(".").padded((int) Math.floorMod(millis, 1000L), 3).ascii("Z");
    }

    byte[] toArray() {
        return Arrays.copyOf(held, length);
    }

    UTF8String text() {
        return UTF8String.fromBytes(held, 0, length);
    }

    private Bytes padded(int number, int width) {
        reserve(width);
        int rest = number;
        for (int at = length + width - 1; at >= length; at--) {
            held[at] = (byte) ('0' + rest % 10);
            rest /= 10;
        }
        length += width;
        return this;
    }

    private void reserve(int count) {
        if (length + count > held.length) {
            held = Arrays.copyOf(held, Math.max(2 * held.length, length + count));
        }
    }
}
