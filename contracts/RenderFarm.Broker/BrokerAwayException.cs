using RenderFarm.Hosting.Loops;

namespace RenderFarm.Broker;

/// <summary>The broker is not there, does not take what it is given, or has closed the channel.</summary>
public sealed class BrokerAwayException : Exception, IOutage
{
    public BrokerAwayException(string message, Exception? inner)
        : base(message, inner) { }

    public BrokerAwayException() { }

    public BrokerAwayException(string message)
        : base(message) { }

    public string Cause => Message;
}
