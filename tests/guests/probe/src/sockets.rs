//! `wasi:sockets`, in every way that leads out.

use wasip2::sockets::instance_network::instance_network;
use wasip2::sockets::ip_name_lookup::resolve_addresses;
use wasip2::sockets::network::{
    ErrorCode, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Network,
};
use wasip2::sockets::tcp::TcpSocket;
use wasip2::sockets::tcp_create_socket::create_tcp_socket;
use wasip2::sockets::udp::{OutgoingDatagram, UdpSocket};
use wasip2::sockets::udp_create_socket::create_udp_socket;

pub fn reach(way: &str, port: u16) -> Result<String, String> {
    let network = instance_network();
    let loopback =
        |port| IpSocketAddress::Ipv4(Ipv4SocketAddress { port, address: (127, 0, 0, 1) });
    match way {
        "tcp-connect" => tcp_connect(&network, loopback(port)),
        "tcp-bind" => tcp_bind(&network, loopback(0)).map(drop),
        "tcp-listen" => tcp_bind(&network, loopback(0)).and_then(|socket| {
            socket.start_listen()?;
            socket.finish_listen()
        }),
        "udp-bind" => udp_bind(&network, loopback(0)).map(drop),
        "udp-connect" => udp_bind(&network, loopback(0))
            .and_then(|socket| send(&socket, Some(loopback(port)), None)),
        "udp-send" => udp_bind(&network, loopback(0))
            .and_then(|socket| send(&socket, None, Some(loopback(port)))),
        "udp-unbound" => new_udp().and_then(|socket| send(&socket, Some(loopback(port)), None)),
        "look-up" => look_up(&network),
        _ => return Err(format!("no way: {way}")),
    }
    .map(|()| "reached".to_owned())
    .map_err(|error| error.name().to_owned())
}

fn tcp_connect(network: &Network, to: IpSocketAddress) -> Result<(), ErrorCode> {
    let socket = create_tcp_socket(IpAddressFamily::Ipv4)?;
    socket.start_connect(network, to)?;
    socket.subscribe().block();
    socket.finish_connect().map(drop)
}

fn tcp_bind(network: &Network, at: IpSocketAddress) -> Result<TcpSocket, ErrorCode> {
    let socket = create_tcp_socket(IpAddressFamily::Ipv4)?;
    socket.start_bind(network, at)?;
    socket.finish_bind()?;
    Ok(socket)
}

fn new_udp() -> Result<UdpSocket, ErrorCode> {
    create_udp_socket(IpAddressFamily::Ipv4)
}

fn udp_bind(network: &Network, at: IpSocketAddress) -> Result<UdpSocket, ErrorCode> {
    let socket = new_udp()?;
    socket.start_bind(network, at)?;
    socket.finish_bind()?;
    Ok(socket)
}

fn send(
    socket: &UdpSocket,
    peer: Option<IpSocketAddress>,
    to: Option<IpSocketAddress>,
) -> Result<(), ErrorCode> {
    let (_incoming, outgoing) = socket.stream(peer)?;
    outgoing.check_send()?;
    let datagram = OutgoingDatagram { data: b"out".to_vec(), remote_address: to };
    outgoing.send(&[datagram]).map(drop)
}

fn look_up(network: &Network) -> Result<(), ErrorCode> {
    let addresses = resolve_addresses(network, "localhost")?;
    addresses.subscribe().block();
    addresses.resolve_next_address().map(drop)
}
