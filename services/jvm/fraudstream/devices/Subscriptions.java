package fraudstream.devices;

import com.hivemq.extension.sdk.api.auth.PublishAuthorizer;
import com.hivemq.extension.sdk.api.auth.SubscriptionAuthorizer;
import com.hivemq.extension.sdk.api.auth.parameter.PublishAuthorizerInput;
import com.hivemq.extension.sdk.api.auth.parameter.PublishAuthorizerOutput;
import com.hivemq.extension.sdk.api.auth.parameter.SubscriptionAuthorizerInput;
import com.hivemq.extension.sdk.api.auth.parameter.SubscriptionAuthorizerOutput;
import java.util.Map;
import java.util.Optional;

/** What a device may subscribe to: its own topics of the hub, five at a time. Anything else ends the connection. */
final class Subscriptions implements SubscriptionAuthorizer, PublishAuthorizer {
    private static final int MOST = 5;

    private final Link link;
    private final Connections connections;

    Subscriptions(Link link, Connections connections) {
        this.link = link;
        this.connections = connections;
    }

    @Override
    public void authorizeSubscribe(SubscriptionAuthorizerInput input, SubscriptionAuthorizerOutput output) {
        Optional<Connection> connection = connections.of(input.getConnectionInformation());
        String filter = input.getSubscription().getTopicFilter();
        if (connection.isEmpty() || !Topic.isFilter(filter, connection.get().identity.device())) {
            link.log("warning", "subscription_refused", Map.of("device", input.getClientInformation().getClientId()));
            output.disconnectClient();
            return;
        }
        connection.get().filters.add(filter);
        if (connection.get().filters.size() > MOST) {
            output.disconnectClient();
            return;
        }
        output.authorizeSuccessfully();
    }

    /** Asked of a Will alone, which has been looked at: the broker itself never gets any other message. */
    @Override
    public void authorizePublish(PublishAuthorizerInput input, PublishAuthorizerOutput output) {
        output.authorizeSuccessfully();
    }
}
