namespace EdgeDm.DevHub.Routing;

/// <summary>Words and signs of a route's text.</summary>
internal enum RouteToken
{
    Select,
    From,
    Where,
    Into,

    /// <summary>Of a path, and the division.</summary>
    Slash,

    /// <summary>Of a path, and the multiplication.</summary>
    Star,
    Open,
    Close,
    OpenBrace,
    CloseBrace,
    Comma,
    Name,

    /// <summary><c>$name</c>, also with <c>[</c> and <c>]</c>.</summary>
    SystemName,

    /// <summary>A name with <c>[</c> or <c>]</c> that has no <c>$</c>: of no use anywhere.</summary>
    Path,
    Text,
    Number,
    True,
    False,
    Null,
    Undefined,
    And,
    Or,
    Not,
    Plus,
    Minus,
    Percent,
    Concat,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Coalesce,
    Other,
    End,
}
