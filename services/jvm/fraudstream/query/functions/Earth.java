package fraudstream.query.functions;

/** Distances in metres on the ellipsoid of WGS 84, by Vincenty's inverse formula. */
final class Earth {
    private static final double EQUATOR = 6_378_137.0;
    private static final double FLATTENING = 1 / 298.257223563;
    private static final double POLE = EQUATOR * (1 - FLATTENING);
    private static final int MOST_STEPS = 200;
    private static final double CLOSE = 1e-13;

    private Earth() {
    }

    static double distance(double longitude, double latitude, double otherLongitude, double otherLatitude) {
        double difference = Math.toRadians(otherLongitude - longitude);
        double reduced = Math.atan((1 - FLATTENING) * Math.tan(Math.toRadians(latitude)));
        double otherReduced = Math.atan((1 - FLATTENING) * Math.tan(Math.toRadians(otherLatitude)));
        double sinOne = Math.sin(reduced);
        double cosOne = Math.cos(reduced);
        double sinTwo = Math.sin(otherReduced);
        double cosTwo = Math.cos(otherReduced);
        double lambda = difference;
        for (int step = 0; step < MOST_STEPS; step++) {
            double sinLambda = Math.sin(lambda);
            double cosLambda = Math.cos(lambda);
            double sinSigma = Math.hypot(cosTwo * sinLambda, cosOne * sinTwo - sinOne * cosTwo * cosLambda);
            if (sinSigma == 0) {
                return 0;
            }
            double cosSigma = sinOne * sinTwo + cosOne * cosTwo * cosLambda;
            double sigma = Math.atan2(sinSigma, cosSigma);
            double sinAlpha = cosOne * cosTwo * sinLambda / sinSigma;
            double cosSquare = 1 - sinAlpha * sinAlpha;
            double cosMiddle = cosSquare == 0 ? 0 : cosSigma - 2 * sinOne * sinTwo / cosSquare;
            double share = FLATTENING / 16 * cosSquare * (4 + FLATTENING * (4 - 3 * cosSquare));
            double last = lambda;
            lambda = difference + (1 - share) * FLATTENING * sinAlpha
                * (sigma + share * sinSigma * (cosMiddle + share * cosSigma * (2 * cosMiddle * cosMiddle - 1)));
            if (Math.abs(lambda - last) < CLOSE) {
                return length(cosSquare, sinSigma, cosSigma, sigma, cosMiddle);
            }
        }
        return opposite(longitude, latitude, otherLongitude, otherLatitude);
    }

    private static double length(double cosSquare, double sinSigma, double cosSigma, double sigma, double cosMiddle) {
        double square = cosSquare * (EQUATOR * EQUATOR - POLE * POLE) / (POLE * POLE);
        double first = 1 + square / 16384 * (4096 + square * (-768 + square * (320 - 175 * square)));
        double second = square / 1024 * (256 + square * (-128 + square * (74 - 47 * square)));
        double middleSquare = cosMiddle * cosMiddle;
        double correction = second * sinSigma * (cosMiddle + second / 4 * (cosSigma * (2 * middleSquare - 1)
            - second / 6 * cosMiddle * (4 * sinSigma * sinSigma - 3) * (4 * middleSquare - 3)));
        return POLE * first * (sigma - correction);
    }

    /** Points on opposite sides, for which the formula finds no end: over a point in the middle of both. */
    private static double opposite(double longitude, double latitude, double otherLongitude, double otherLatitude) {
        double over = Math.signum(latitude + otherLatitude + 0.5) * 90;
        return distance(longitude, latitude, longitude, over)
            + distance(otherLongitude, otherLatitude, otherLongitude, over);
    }
}
