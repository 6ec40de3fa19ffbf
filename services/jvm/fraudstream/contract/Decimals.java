package fraudstream.contract;

import java.math.BigInteger;

/**
 * Decimal numbers of up to 18 digits as the nearest doubles, without a text in between: the algorithm of D. Lemire,
 * "Number parsing at a gigabyte per second", Software: Practice and Experience 51 (2021), after M. Eisel.
 */
final class Decimals {
    // Powers of ten that digits may be multiplied with here.
    private static final int LEAST = -60;
    private static final int MOST = 22;
    // Powers of five in this range are exact in 128 bits, or their reciprocals are exact enough.
    private static final int LEAST_EXACT = -27;
    private static final int LEAST_HALFWAY = -4;
    private static final long MOST_EXACT = 1L << 53;
    private static final double[] TENS = new double[MOST + 1];
    private static final long[] HIGH = new long[MOST - LEAST + 1];
    private static final long[] LOW = new long[MOST - LEAST + 1];

    private static final int FRACTION_BITS = 52;
    private static final int BIAS = 1023;
    // What stands below the fraction's bits, one for the rounding and one for the leading bit's place.
    private static final int SPARE_BITS = 64 - FRACTION_BITS - 3;

    static {
        for (int power = LEAST; power <= MOST; power++) {
            BigInteger bits = fives(power);
            HIGH[power - LEAST] = bits.shiftRight(Long.SIZE).longValue();
            LOW[power - LEAST] = bits.longValue();
        }
        TENS[0] = 1.0;
        for (int power = 1; power <= MOST; power++) {
            TENS[power] = TENS[power - 1] * 10.0;
        }
    }

    private Decimals() {
    }

    /** The first 128 bits of a power of five; those of a reciprocal that is exact enough are rounded up. */
    private static BigInteger fives(int power) {
        BigInteger five = BigInteger.valueOf(5).pow(Math.abs(power));
        if (power >= 0) {
            return five.shiftLeft(2 * Long.SIZE - five.bitLength());
        }
        BigInteger bits = BigInteger.ONE.shiftLeft(4 * Long.SIZE).divide(five);
        BigInteger first = bits.shiftRight(bits.bitLength() - 2 * Long.SIZE);
        return power >= LEAST_EXACT ? first.add(BigInteger.ONE) : first;
    }

    /** Not negative {@code digits} times a power of ten; NaN where that is not told here. */
    static double of(long digits, int power) {
        if (digits <= MOST_EXACT && power <= 0 && power >= -MOST) {
            // Both are doubles; their quotient is correctly rounded.
            return digits / TENS[-power];
        }
        if (digits == 0) {
            return 0.0;
        }
        return power < LEAST || power > MOST ? Double.NaN : product(digits, power);
    }

    private static double product(long digits, int power) {
        int zeros = Long.numberOfLeadingZeros(digits);
        long shifted = digits << zeros;
        long five = HIGH[power - LEAST];
        long low = shifted * five;
        long high = highOf(shifted, five);
        long spare = (1L << SPARE_BITS) - 1;
        if ((high & spare) == spare) {
            // What is cut off might carry.
            long carried = highOf(shifted, LOW[power - LEAST]);
            low += carried;
            high += Long.compareUnsigned(carried, low) > 0 ? 1 : 0;
        }
        if (low == -1L && power < LEAST_EXACT) {
            return Double.NaN;
        }
        int upper = (int) (high >>> 63);
        long fraction = high >>> upper + SPARE_BITS;
        int exponent = (217_706 * power >> 16) + 63 + upper - zeros + BIAS;
        boolean isHalfway = Long.compareUnsigned(low, 1L) <= 0 && power >= LEAST_HALFWAY && (fraction & 3) == 1
            && fraction << upper + SPARE_BITS == high;
        fraction = isHalfway ? fraction & ~1L : fraction;
        fraction = fraction + (fraction & 1) >>> 1;
        if (fraction >= 2L << FRACTION_BITS) {
            fraction = 1L << FRACTION_BITS;
            exponent++;
        }
        return Double.longBitsToDouble((long) exponent << FRACTION_BITS | fraction & (1L << FRACTION_BITS) - 1);
    }

    /** The upper half of a product of numbers without signs. */
    private static long highOf(long first, long second) {
        return Math.multiplyHigh(first, second) + (first >> 63 & second) + (second >> 63 & first);
    }
}
