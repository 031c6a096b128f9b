namespace EdgeDm.DevHub.Routing;

/// <summary>A route's text is wrong; the message says what, at which position, counted from 1, and what was expected.</summary>
public sealed class RouteSyntaxException(string message) : Exception(message);
